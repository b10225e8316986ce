"""temp"""
import time
from dataclasses import dataclass, replace
from ocr.pictures import open_picture
from ocr.lines import *
import numpy as np
@dataclass
class PT:
    angle:int; lines:list; text:str
def read_page(path, eng):
    pic=open_picture(path); lines=[l for l in eng.read(pic) if not l.seal]
    v=np.sum([np.array(direction_of(l.box))*length_of(l.box) for l in lines],axis=0)
    ang=int(round(np.degrees(np.arctan2(-v[1],v[0]))/90))%4*90
    u=v/np.linalg.norm(v); n=np.array([-u[1],u[0]])
    items=[]
    for l in lines:
        c=np.mean(l.box,axis=0); items.append((c@n,c@u,height_of(l.box),l))
    items.sort(key=lambda i:i[0]); rows=[]
    for it in items:
        if rows and abs(it[0]-np.mean([r[0] for r in rows[-1]]))<0.5*min(it[2],rows[-1][0][2]): rows[-1].append(it)
        else: rows.append([it])
    return PT(ang,lines,"\n".join(" ".join(i[3].text for i in sorted(r,key=lambda i:i[1])) for r in rows))
